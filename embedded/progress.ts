/** One line of news while the environment starts; the CLI prints it, tests ignore it. */
export interface EnvironmentProgress {
  part: 'postgres' | 'temporal' | 'environment';
  message: string;
}

export type ProgressListener = (progress: EnvironmentProgress) => void;
