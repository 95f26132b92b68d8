// Looks for credentials in the lines that the change adds.
import { runAgent } from './agent.mjs';
import { addedLines } from './git.mjs';

const patterns = [
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a GitHub token', /\bgh[pousr]_[A-Za-z0-9]{36,}\b/],
  ['a private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/],
  ['a bearer token', /\bBearer\s+[A-Za-z0-9._~+/-]{20,}/],
  ['a password in a URL', /\b[a-z]+:\/\/[^\s/:@]+:[^\s/:@]{3,}@/i],
  ['a hard-coded credential', /(?:password|passwd|secret|token|api_?key)['"]?\s*[:=]\s*['"][^'"\s]{8,}['"]/i],
];

await runAgent({
  default: ({ repo, settings: { base, branch } }) => {
    const lines = addedLines(repo, base, branch);
    const found = lines.flatMap(({ file, line, text }) =>
      patterns.filter(([, pattern]) => pattern.test(text)).map(([what]) => `${file}:${line}: ${what}`),
    );
    return {
      verdict: found.length === 0 ? 'approved' : 'blocked',
      summary: found.length === 0 ? `no secrets in ${lines.length} new lines` : `${found.length} secrets in ${lines.length} new lines`,
      ...(found.length > 0 && { reasons: found }),
      metrics: { critical_vulns: found.length, lines_scanned: lines.length },
    };
  },
});
