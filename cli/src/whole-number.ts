import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number of a range. */
export function wholeNumber(minimum = 0, maximum = 999_999_999_999): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}
