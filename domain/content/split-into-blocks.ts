import type { Block } from './document.ts';

/** Longer blocks are cut, so that no tokeniser sees an unbounded string. */
const LONGEST_BLOCK = 20_000;
const HEADING_WORDS = 12;

/** Cuts plain text or Markdown into blocks; code, tables, rules and markup go. */
export function splitIntoBlocks(text: string): Block[] {
  const withoutCode = text.replace(/\r\n?/g, '\n').replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1[^\n]*$/gm, '');
  const withBreaks = withoutCode
    .replace(/^ {0,3}(?:\||[-*_=]{3,}\s*$).*$/gm, '')
    .replace(/^ {0,3}(#{1,6} .*)$/gm, '\n\n$1\n\n')
    .replace(/^\s*(?:[-*+]|\d{1,3}[.)]) +(?=\S)/gm, '\n\n');
  return withBreaks
    .split(/\n\s*\n/)
    .flatMap((block) => cutLong(plainText(block)))
    .filter((block) => block.text !== '');
}

function plainText(block: string): Block {
  const marked = /^\s*#{1,6} /.test(block);
  const text = block
    .replace(/^\s*(?:#{1,6}|>+) ?/gm, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/`([^`]+)`/g, '$1')
    .replace(/(^|[^\p{L}\p{N}])(\*\*|__|\*|_)(?=\S)([^*_]*?\S)\2(?![\p{L}\p{N}])/gu, '$1$3')
    .replace(/\s+/g, ' ')
    .trim();
  return { text, heading: marked || looksLikeHeading(text) };
}

function looksLikeHeading(text: string): boolean {
  return !/[.!?:;,"'”’)]$/.test(text) && text.split(' ').length < HEADING_WORDS;
}

function cutLong(block: Block): Block[] {
  const parts: Block[] = [];
  let rest = block.text;
  while (rest.length > LONGEST_BLOCK) {
    const head = rest.slice(0, LONGEST_BLOCK);
    const end = Math.max(head.lastIndexOf('. ') + 1, 0) || head.lastIndexOf(' ') || LONGEST_BLOCK;
    const at = end > 0 ? end : LONGEST_BLOCK;
    parts.push({ text: rest.slice(0, at).trim(), heading: false });
    rest = rest.slice(at).trim();
  }
  return [...parts, { text: rest, heading: block.heading && parts.length === 0 }];
}
