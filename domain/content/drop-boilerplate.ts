import type { Block } from './document.ts';

/** One of these is enough. */
const STRONG = [
  /project gutenberg/i,
  /permission is hereby granted, free of charge/i,
  /distributed proofread(?:ers|ing)/i,
  /all rights reserved/i,
];

/** Two of these together. */
const WEAK = [
  /\belectronic works?\b/i,
  /\bredistribut(?:e|ion|ing)\b/i,
  /\bcopyright\b|©/i,
  /\blicen[cs]e[ds]?\b/i,
  /\btrademark\b/i,
  /\bterms (?:of use|and conditions)\b/i,
  /\b(?:cookie|privacy) policy\b/i,
  /\bsubscribe to\b/i,
  /\bISBN\b/,
  /\be-?books?\b/i,
  /\bwarrant(?:y|ies)\b/i,
];

/** Beyond this share the "boilerplate" is the subject of the text. */
const LARGEST_SHARE = 0.5;

/** Licence, publisher and site notices must not win the ranking of what a text is about. */
export function dropBoilerplate(blocks: readonly Block[]): Block[] {
  const work = betweenMarkers(blocks);
  const body = work.filter((block) => !isNotice(block.text));
  return lengthOf(body) < lengthOf(work) * (1 - LARGEST_SHARE) ? [...work] : body;
}

function betweenMarkers(blocks: readonly Block[]): readonly Block[] {
  const start = blocks.findIndex((block) => /\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG/i.test(block.text));
  const end = blocks.findIndex((block) => /\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG/i.test(block.text));
  return blocks.slice(start + 1, end > start ? end : undefined);
}

function isNotice(text: string): boolean {
  return STRONG.some((pattern) => pattern.test(text)) || WEAK.filter((pattern) => pattern.test(text)).length >= 2;
}

function lengthOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.text.length, 0);
}
