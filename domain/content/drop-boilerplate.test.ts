import { describe, expect, it } from '@jest/globals';
import { dropBoilerplate } from './drop-boilerplate.ts';

const blocks = (...texts: string[]) => texts.map((text) => ({ text, heading: false }));
const PROSE = 'Light is bent when it passes from air into glass, and more so the steeper it falls upon the glass.';

describe('dropBoilerplate', () => {
  it('drops licence and publisher notices', () => {
    const kept = dropBoilerplate(
      blocks(
        'This eBook is for the use of anyone under the terms of the Project Gutenberg License.',
        PROSE,
        'Copyright © 2020 Example Press. Licensed to one reader.',
        PROSE,
        PROSE,
        PROSE,
      ),
    );
    expect(kept).toEqual(blocks(PROSE, PROSE, PROSE, PROSE));
  });

  it('keeps what stands between the markers of an e-text', () => {
    const kept = dropBoilerplate(
      blocks(
        'Title: Opticks',
        '*** START OF THE PROJECT GUTENBERG EBOOK OPTICKS ***',
        PROSE,
        '*** END OF THE PROJECT GUTENBERG EBOOK OPTICKS ***',
        'Donate!',
      ),
    );
    expect(kept).toEqual(blocks(PROSE));
  });

  it('keeps prose that merely mentions one such word', () => {
    const mention = blocks('The right to copy a book, called copyright, was first granted in 1710.', PROSE);
    expect(dropBoilerplate(mention)).toEqual(mention);
  });

  it('keeps everything when the notices are the subject of the text', () => {
    const subject = blocks('Project Gutenberg began in 1971.', 'Project Gutenberg grew.', 'Its readers were many.');
    expect(dropBoilerplate(subject)).toEqual(subject);
  });
});
