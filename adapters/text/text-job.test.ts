import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { ContentAnalysis } from '../../domain/content/content-analysis.ts';
import { estimateTokens } from '../../domain/models/estimate-tokens.ts';
import { runTextJob } from './text-job.ts';
import { createTokenizer } from './tokenize.ts';

const opticks = readFileSync(new URL('../../samples/documents/newton-opticks-queries.txt', import.meta.url), 'utf8');
const tokenize = createTokenizer();
const analyze = (text: string, options = {}) =>
  runTextJob(tokenize, { kind: 'analyze', input: { text, ...options } }) as ContentAnalysis;
const condense = (prompt: string, maxTokens: number, source = opticks) =>
  runTextJob(tokenize, { kind: 'condense', input: { source, prompt, maxTokens } }) as string;
const plain = (text: string) => text.replace(/\s+/g, ' ');
const lower = (items: { text?: string; name?: string }[]) =>
  items.map((item) => (item.text ?? item.name)!.toLowerCase());

const about = (word: RegExp, text: string) => text.match(word)?.length ?? 0;

const GERMAN =
  'Das Licht wird gebrochen, wenn es aus der Luft in das Glas übergeht. Die Brechung des Lichts ist verschieden für verschiedene ' +
  'Farben. Newton zerlegte das weiße Licht mit einem Prisma in seine Farben.';

const analysis = analyze(opticks, { title: 'Opticks' });

describe('analysing a book', () => {
  it('finds what a book is about', () => {
    expect(analysis.language).toBe('en');
    expect(lower(analysis.keywords)).toEqual(
      expect.arrayContaining(['light', 'bodies', 'particles', 'motion', 'rays']),
    );
    expect(lower(analysis.concepts)).toEqual(
      expect.arrayContaining(['attraction', 'particles', 'water', 'aqua fortis']),
    );
    expect(analysis.difficulty).toBe('EXPERT');
  });

  it('summarises by sentences of the text itself, in their order', () => {
    const places = analysis.summary.map((sentence) => plain(opticks).indexOf(sentence));
    expect(places).toHaveLength(5);
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('ranks from strongest to weakest, from 1 down, without repeats', () => {
    for (const scores of [
      analysis.keywords.map(({ score }) => score),
      analysis.concepts.map(({ relevance }) => relevance),
    ]) {
      expect(scores[0]).toBe(1);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(Math.min(...scores)).toBeGreaterThan(0);
    }
    expect(new Set(lower(analysis.concepts)).size).toBe(analysis.concepts.length);
  });

  it('relates concepts only to other concepts of the answer', () => {
    const names = analysis.concepts.map(({ name }) => name);
    for (const { name, related } of analysis.concepts) {
      expect(names).toEqual(expect.arrayContaining(related));
      expect(related).not.toContain(name);
    }
  });

  it('gives the same answer each time', () => {
    expect(analyze(opticks, { title: 'Opticks' })).toEqual(analysis);
  });

  it('gives as much as is asked for', () => {
    const asked = analyze(opticks, { maxKeywords: 3, maxConcepts: 2, summarySentences: 1 });
    expect([asked.keywords.length, asked.concepts.length, asked.summary.length]).toEqual([3, 2, 1]);
  });

  it('lets no licence text win', () => {
    const licence =
      'Project Gutenberg electronic works may be redistributed under the Project Gutenberg License; Project Gutenberg is a trademark.\n\n';
    const wrapped = analyze(`${licence.repeat(60)}${opticks}\n${licence.repeat(60)}`, { title: 'Opticks' });
    expect(wrapped.keywords).toEqual(analysis.keywords);
    expect(wrapped.summary).toEqual(analysis.summary);
  });
});

describe('analysing any text', () => {
  it('hears praise and blame', () => {
    expect(analyze('What a wonderful day. I love this beautiful, excellent place.').sentiment?.label).toBe('positive');
    expect(analyze('A horrible failure. I hate this terrible, ugly disaster.').sentiment?.label).toBe('negative');
    expect(analyze('The table stands in the room. It has four legs.').sentiment?.label).toBe('neutral');
  });

  it('names another language and leaves out what it has rules for in English alone', () => {
    const german = analyze(GERMAN);
    expect(german).toMatchObject({ language: 'de', sentiment: null, readability: null, difficulty: null });
    expect(lower(german.keywords)).toContain('licht');
    expect(lower(german.keywords)).not.toContain('das');
  });

  it('takes a heading for the title where none is given', () => {
    expect(analyze('# Of Light\n\nLight is bent by glass.').title).toBe('Of Light');
    expect(analyze('Light is bent by glass.').title).toBeNull();
  });

  it.each(['', '   \n', '1704, 28; 31.', '```\ncode only\n```'])('refuses %j, which has no words', (text) => {
    expect(() => analyze(text)).toThrow(expect.objectContaining({ code: 'CONTENT_UNSUPPORTED' }));
  });

  it('copes with a single word', () => {
    expect(analyze('Light')).toMatchObject({ words: 1, sentences: 1, summary: ['Light'] });
  });
});

describe('condensing a text', () => {
  it.each([60, 200, 800])('keeps within %i tokens and takes whole sentences only', (maxTokens) => {
    const text = condense('Summarise the text.', maxTokens);
    expect(estimateTokens(text)).toBeLessThanOrEqual(maxTokens);
    for (const paragraph of text.split('\n\n')) expect(plain(opticks)).toContain(paragraph);
  });

  it('leans towards what the prompt asks about', () => {
    const crystal = condense('What does the author say about the refraction of Island Crystal?', 300);
    const salt = condense('What does the author say about acids dissolving salt and metals?', 300);
    expect(about(/crystal/gi, crystal)).toBeGreaterThan(about(/crystal/gi, salt));
    expect(about(/salt|acid|metal/gi, salt)).toBeGreaterThan(about(/salt|acid|metal/gi, crystal));
  });

  it('gives nothing when no sentence fits', () => {
    expect(condense('Summarise.', 2)).toBe('');
  });
});
