export async function greet(name: string): Promise<string> {
  if (name.trim() === '') throw new TypeError('a name must not be empty');
  return `Hello, ${name}!`;
}

export async function count(texts: string[]): Promise<number> {
  return texts.join('').length;
}
