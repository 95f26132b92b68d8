import { bestOf, freeOf } from './selection-policy';
import type { StartPolicy } from './selection-policy';

/**
 * Textbook bandits. Each keeps one bandit per task type (`byTaskType`: the textbook's answer to a context of few values), or one for
 * all tasks (`pooled`), which learns faster and cannot tell specialists apart. A play counts when its outcome is known.
 */
export type BanditContext = 'byTaskType' | 'pooled';

/** Whom to try before anything else: those without a play, in the order given. */
const untried = Infinity;

/**
 * UCB1: mean + √(2·ln n / n_j), n plays of which n_j of this arm; an arm without plays first.
 * Auer, Cesa-Bianchi and Fischer, "Finite-time analysis of the multiarmed bandit problem", Machine Learning 47 (2002), figure 1.
 */
export function ucb1(context: BanditContext): StartPolicy {
  return () => {
    const arms = new Arms(context);
    return {
      choose: (taskType, contenders) => {
        const plays = contenders.reduce((sum, { agentId }) => sum + arms.of(taskType, agentId).plays, 0);
        return bestOf(freeOf(contenders), ({ agentId }) => {
          const arm = arms.of(taskType, agentId);
          return arm.plays === 0 ? untried : arm.successes / arm.plays + Math.sqrt((2 * Math.log(plays)) / arm.plays);
        });
      },
      learn: ({ taskType, agentId, outcome }) => arms.add(taskType, agentId, outcome === 'success'),
    };
  };
}

/** What Garivier and Moulines leave open: ξ above 1/2, and rewards bounded by B = 1. */
const xi = 0.6;

/** γ = 1 − 1/(4·√T): their choice for one change in T plays. */
export function discountFor(horizonPlays: number): number {
  return 1 - 1 / (4 * Math.sqrt(horizonPlays));
}

/**
 * Discounted UCB: mean of rewards discounted by γ per play + 2·√(ξ·ln n / N_j), n = ΣN_j of the discounted plays.
 * Garivier and Moulines, "On upper-confidence bound policies for switching bandit problems", ALT 2011, section 3.
 */
export function discountedUcb(context: BanditContext, discount: number): StartPolicy {
  return () => {
    const arms = new Arms(context, discount);
    return {
      choose: (taskType, contenders) => {
        const plays = contenders.reduce((sum, { agentId }) => sum + arms.of(taskType, agentId).plays, 0);
        return bestOf(freeOf(contenders), ({ agentId }) => {
          const arm = arms.of(taskType, agentId);
          if (arm.plays === 0) return untried;
          return arm.successes / arm.plays + 2 * Math.sqrt((xi * Math.max(0, Math.log(plays))) / arm.plays);
        });
      },
      learn: ({ taskType, agentId, outcome }) => arms.add(taskType, agentId, outcome === 'success'),
    };
  };
}

/**
 * Thompson sampling with Beta(1 + successes, 1 + failures) posteriors: the arm whose draw is the highest.
 * Thompson, Biometrika 25 (1933); as algorithm 2 of Chapelle and Li, "An empirical evaluation of Thompson sampling", NIPS 2011.
 */
export function thompson(context: BanditContext): StartPolicy {
  return (draw) => {
    const arms = new Arms(context);
    return {
      choose: (taskType, contenders) =>
        bestOf(freeOf(contenders), ({ agentId }) => {
          const { plays, successes } = arms.of(taskType, agentId);
          return drawBeta(1 + successes, 1 + plays - successes, draw);
        }),
      learn: ({ taskType, agentId, outcome }) => arms.add(taskType, agentId, outcome === 'success'),
    };
  };
}

interface Arm {
  plays: number;
  successes: number;
}

class Arms {
  readonly #context: BanditContext;
  readonly #discount: number;
  readonly #arms = new Map<string, Map<string, Arm>>();

  constructor(context: BanditContext, discount = 1) {
    this.#context = context;
    this.#discount = discount;
  }

  of(taskType: string, agentId: string): Arm {
    return this.#bandit(taskType).get(agentId) ?? { plays: 0, successes: 0 };
  }

  add(taskType: string, agentId: string, succeeded: boolean): void {
    const bandit = this.#bandit(taskType);
    if (this.#discount < 1) {
      for (const arm of bandit.values()) {
        arm.plays *= this.#discount;
        arm.successes *= this.#discount;
      }
    }
    const { plays, successes } = this.of(taskType, agentId);
    bandit.set(agentId, { plays: plays + 1, successes: successes + (succeeded ? 1 : 0) });
  }

  #bandit(taskType: string): Map<string, Arm> {
    const key = this.#context === 'pooled' ? '' : taskType;
    const known = this.#arms.get(key);
    if (known !== undefined) return known;
    const bandit = new Map<string, Arm>();
    this.#arms.set(key, bandit);
    return bandit;
  }
}

/** Beta(a, b) as G(a)/(G(a) + G(b)); a, b ≥ 1. */
export function drawBeta(a: number, b: number, draw: () => number): number {
  const left = drawGamma(a, draw);
  return left / (left + drawGamma(b, draw));
}

/** Gamma(shape, 1), shape ≥ 1: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000). */
function drawGamma(shape: number, draw: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(draw);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - draw()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Box and Muller (1958). */
export function drawNormal(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}
