import fc from 'fast-check';
import { RankHeap } from './rank-heap';

test('pops what it holds, the least rank first, whatever is pushed in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 50 }))), (operations) => {
      const heap = new RankHeap<{ rank: number }>();
      const model: number[] = [];
      for (const rank of operations) {
        if (rank === null) {
          model.sort((a, b) => a - b);
          expect(heap.peek()?.rank).toBe(model[0]);
          expect(heap.pop()?.rank).toBe(model.shift());
        } else {
          heap.push({ rank });
          model.push(rank);
        }
        expect(heap.size).toBe(model.length);
      }
    }),
  );
});
