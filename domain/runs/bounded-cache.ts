/** Remembers what was made of a text; forgets everything once the texts together exceed `maxCharacters`. */
export function boundedCache<Value>(maxCharacters: number, make: (text: string) => Value): (text: string) => Value {
  const made = new Map<string, Value>();
  let characters = 0;
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const value = make(text);
    if (characters + text.length > maxCharacters) {
      made.clear();
      characters = 0;
    }
    made.set(text, value);
    characters += text.length;
    return value;
  };
}
