/** A reporter for `node --test`: one JSON object with what failed and how many lines of each file ran. */
export default async function* report(events) {
  const seen = { passed: 0, failed: [], files: [] };
  for await (const { type, data } of events) {
    const isTest = data.details?.type !== 'suite';
    if (type === 'test:pass' && isTest) seen.passed += 1;
    else if (type === 'test:fail' && isTest)
      seen.failed.push({ name: data.name, message: data.details?.error?.cause?.message ?? data.details?.error?.message });
    else if (type === 'test:coverage') {
      seen.files = data.summary.files.map(({ path, totalLineCount, coveredLineCount }) => ({ path, totalLineCount, coveredLineCount }));
    }
  }
  yield JSON.stringify(seen);
}
