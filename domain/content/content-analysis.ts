export type Keyword = { text: string; score: number };
export type Concept = {
  name: string;
  /** 0..1, relative to the strongest concept of the text. */
  relevance: number;
  mentions: number;
  /** Names of concepts that share sentences with this one, strongest first. */
  related: string[];
};
export type DifficultyLevel = 'BEGINNER' | 'INTERMEDIATE' | 'ADVANCED' | 'EXPERT';

export type ContentAnalysis = {
  title: string | null;
  /** ISO 639-1 code, or null when undetermined. */
  language: string | null;
  words: number;
  sentences: number;
  /** At 230 words a minute. */
  readingTimeMs: number;
  keywords: Keyword[];
  concepts: Concept[];
  /** Null, as are readability and difficulty, for languages whose rules are not known here: all but English. */
  sentiment: {
    label: 'negative' | 'neutral' | 'positive';
    /** -1..1 */
    score: number;
  } | null;
  readability: {
    /** 206.835 - 1.015 (words / sentences) - 84.6 (syllables / words); Flesch 1948. */
    fleschReadingEase: number;
    /** 0.39 (words / sentences) + 11.8 (syllables / words) - 15.59; Kincaid 1975. */
    fleschKincaidGrade: number;
  } | null;
  difficulty: DifficultyLevel | null;
  /** Sentences of the text itself, in reading order. */
  summary: string[];
};
