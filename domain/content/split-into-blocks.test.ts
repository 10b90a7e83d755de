import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { splitIntoBlocks } from './split-into-blocks.ts';

const letters = (text: string) => text.replace(/[^\p{L}]/gu, '');

describe('splitIntoBlocks', () => {
  it('joins the lines of a paragraph and parts paragraphs at empty lines', () => {
    expect(splitIntoBlocks('One\r\ntwo  three.\r\n\r\nFour.')).toEqual([
      { text: 'One two three.', heading: false },
      { text: 'Four.', heading: false },
    ]);
  });

  it('tells headings, marked or not, from prose', () => {
    expect(splitIntoBlocks('# Optics\nLight bends.\n\nOF COLOURS\n\nIt does.').map(({ heading }) => heading)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('takes the markup off and leaves code and tables out', () => {
    const markdown =
      'See **bold** and _leaning_ [words](https://example.com) of `snake_case_name`.\n\n```js\nlet a;\n```\n\n| a | b |\n\n- one.\n- two.';
    expect(splitIntoBlocks(markdown).map(({ text }) => text)).toEqual([
      'See bold and leaning words of snake_case_name.',
      'one.',
      'two.',
    ]);
  });

  it('cuts a block without end, at a sentence where it can, and loses no word', () => {
    const sentence = 'A ray of light goes on and on. ';
    const blocks = splitIntoBlocks(sentence.repeat(3000));
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) expect(block.text.endsWith('.')).toBe(true);
    expect(blocks.map(({ text }) => text).join(' ')).toBe(sentence.repeat(3000).trim());
  });

  it('keeps every letter of plain text', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' ', '\n', '.', ','), maxLength: 200 });
    fc.assert(
      fc.property(plain, (text) => {
        expect(
          letters(
            splitIntoBlocks(text)
              .map((block) => block.text)
              .join(''),
          ),
        ).toBe(letters(text));
      }),
    );
  });
});
