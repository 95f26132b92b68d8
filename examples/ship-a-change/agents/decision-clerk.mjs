// Puts on one page what a person needs to decide: the change, the tests, the review.
import { runAgent } from './agent.mjs';
import { git } from './git.mjs';

await runAgent({
  default: ({ document, repo, settings: { base, branch, candidate_tag: candidate } }) => {
    const { change_summary: change, test_report: tests, review } = document.inputs;
    const stat = git(repo, 'diff', '--stat', `${base}...${branch}`);
    const sections = [change, tests, review].map((input) => input?.text?.trim() ?? '(missing)');
    const brief = [
      `# Merge ${branch} into ${base}?`,
      '',
      `The candidate is ${candidate}.`,
      '',
      '```',
      stat,
      '```',
      '',
      ...sections.flatMap((section) => [section, '']),
    ];
    return {
      summary: `ready for a decision: ${stat.split('\n').at(-1).trim()}`,
      outputs: { 'decision_brief.md': brief.join('\n').replace(/^# /gm, (mark, offset) => (offset === 0 ? mark : '## ')) },
    };
  },
});
