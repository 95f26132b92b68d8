/** The task types that a history is kept by; a file may name others. */
export const taskTypes = [
  'ArchitectureDesign',
  'CodeGeneration',
  'CodeReview',
  'Testing',
  'SecurityAudit',
  'Documentation',
  'Deployment',
  'Monitoring',
  'Marketing',
  'Planning',
  'GeneralQuery',
] as const;
export type TaskType = (typeof taskTypes)[number];

/**
 * Words that tell, as stems: `deploy` stands for deploys, deployed, deployment. `3` decides almost alone, `1` is a hint that
 * many kinds of work share. English, then Spanish (written without accents: they are taken off before).
 */
const stems: Partial<Record<TaskType, Record<1 | 2 | 3, string>>> = {
  ArchitectureDesign: {
    3: 'architect adr blueprint arquitect',
    2: 'design diagram schema interface model disen diagrama esquema',
    1: 'structure pattern propose boundar module patron propuest estructura',
  },
  CodeGeneration: {
    3: 'implement refactor programar',
    2: 'develop build coding fix bug bugfix migrate migration feature endpoint desarroll codific construi corregi arregl migra',
    1: 'code add create write make change replace update frontend backend api component function anadi agrega crea escrib cambi actualiz componente funcion',
  },
  CodeReview: {
    3: 'review reviewer',
    2: 'pr diff merge inspect critique revis',
    1: 'feedback comment approve check pull request verific coment aprob',
  },
  Testing: {
    3: 'test tests testing tester qa e2e prueba probar',
    2: 'coverage regression benchmark fuzz smoke spec cobertura regresion',
    1: 'verify validate assert unit integration verific valid unitari',
  },
  SecurityAudit: {
    3: 'security audit vulnerab pentest penetration cve owasp segurid auditor vulnerabil',
    2: 'threat exploit secret hardening injection xss csrf sast amenaza intrusion inyeccion',
    1: 'scan risk permission encrypt escane riesgo permiso cifra',
  },
  Documentation: {
    3: 'document documentation readme changelog documenta',
    2: 'doc docs guide tutorial manual handbook runbook guia wiki',
    1: 'explain describe notes comment write explica describ notas',
  },
  Deployment: {
    3: 'deploy rollout desplieg despleg',
    2: 'release ship provision canary rollback helm terraform kubernetes publica lanzamiento entorno',
    1: 'push staging production environment server install produccion servidor instal',
  },
  Monitoring: {
    3: 'monitor monitoriz supervis',
    2: 'observe alert watch metric telemetry dashboard observab vigil alerta metrica',
    1: 'latency uptime logs errors health latencia salud',
  },
  Marketing: {
    3: 'marketing promotion promote campaign anuncio promocion campan',
    2: 'announce blog newsletter tweet social landing audience anunci boletin redes',
    1: 'post copy brand customers launch marca clientes',
  },
  Planning: {
    3: 'plan planning roadmap planific',
    2: 'estimate schedule backlog sprint prioriti milestone scope estim cronograma prioriza hito alcance',
    1: 'requirement task timeline organize requisito tarea calendario organiz',
  },
};

const roleTypes: readonly (readonly [role: string, type: TaskType])[] = [
  ['code-reviewer', 'CodeReview'],
  ['architect', 'ArchitectureDesign'],
  ['developer', 'CodeGeneration'],
  ['tester', 'Testing'],
  ['security', 'SecurityAudit'],
  ['documenter', 'Documentation'],
  ['devops', 'Deployment'],
  ['monitor', 'Monitoring'],
  ['marketer', 'Marketing'],
  ['project-manager', 'Planning'],
];

const titleFactor = 3;
/** The first word of a title is most often its verb. */
const firstWordFactor = 1.4;
const roleWeight = 4;
const readWords = 200;

export interface TaskText {
  title: string;
  description?: string | undefined;
  role?: string | undefined;
  /** Named by the author: wins over everything. */
  taskType?: string | undefined;
}

/**
 * The task type of a piece of work from its words: each word's weight counts for its type, three times in the title, and the role
 * adds its own. No telling word and no telling role: GeneralQuery. Equal sums: the type that is named first in the text.
 */
export function extractTaskType({ title, description = '', role = '', taskType }: TaskText): string {
  if (taskType !== undefined && taskType.trim() !== '') return taskType.trim();
  const sums = new Map<TaskType, number>();
  const add = (type: TaskType, weight: number): void => void sums.set(type, (sums.get(type) ?? 0) + weight);
  wordsOf(title).forEach((word, place) => {
    for (const [type, weight] of typesOf(word)) add(type, weight * titleFactor * (place === 0 ? firstWordFactor : 1));
  });
  for (const word of wordsOf(description)) for (const [type, weight] of typesOf(word)) add(type, weight);
  const ofRole = taskTypeOfRole(role);
  if (ofRole !== undefined) add(ofRole, roleWeight);
  let best: TaskType = 'GeneralQuery';
  for (const [type, sum] of sums) if (sum > (sums.get(best) ?? 0)) best = type;
  return best;
}

/** What a well-known role (`developer`, `developer-frontend`) does by its name; undefined for a role of the user's own. */
export function taskTypeOfRole(role: string): TaskType | undefined {
  return roleTypes.find(([name]) => role === name || role.startsWith(`${name}-`))?.[1];
}

interface Stem {
  text: string;
  type: TaskType;
  weight: number;
}

/** By their first two letters: a word is compared with a handful of stems only. */
const stemsByStart = indexStems();

function indexStems(): ReadonlyMap<string, readonly Stem[]> {
  const index = new Map<string, Stem[]>();
  for (const [type, byWeight] of Object.entries(stems) as [TaskType, Record<number, string>][]) {
    for (const [weight, list] of Object.entries(byWeight)) {
      for (const text of list.split(' ')) {
        const start = text.slice(0, 2);
        index.set(start, [...(index.get(start) ?? []), { text, type, weight: Number(weight) }]);
      }
    }
  }
  return index;
}

/** The types a word speaks for: of the stems of one type the longest that fits. Short stems stand for themselves alone. */
function typesOf(word: string): [TaskType, number][] {
  const found = new Map<TaskType, Stem>();
  for (const stem of stemsByStart.get(word.slice(0, 2)) ?? []) {
    const fits = stem.text.length <= 4 ? word === stem.text || word === `${stem.text}s` : word.startsWith(stem.text);
    if (fits && stem.text.length > (found.get(stem.type)?.text.length ?? 0)) found.set(stem.type, stem);
  }
  return [...found.values()].map(({ type, weight }) => [type, weight]);
}

/** A written task type in its usual spelling (`code-review` = `CodeReview`), or as it is. */
export function normalizeTaskType(written: string): string {
  const letters = written.toLowerCase().replace(/[\s_-]/gu, '');
  return taskTypes.find((type) => type.toLowerCase() === letters) ?? written.trim();
}

/** Lower-case words without accents; CamelCase, snake_case and kebab-case are taken apart. */
export function wordsOf(text: string): string[] {
  return text
    .slice(0, 5_000)
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .slice(0, readWords);
}
