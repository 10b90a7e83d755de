export async function note(left: number): Promise<number> {
  return left;
}
