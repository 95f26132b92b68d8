/** A binary min-heap of things with a `rank`. Equal ranks do not occur: a rank is a place in one total order. */
export class RankHeap<T extends { readonly rank: number }> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let place = items.length;
    items.push(item);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above] as T;
      if (parent.rank <= item.rank) break;
      items[place] = parent;
      place = above;
    }
    items[place] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && (items[below + 1] as T).rank < (items[below] as T).rank) below += 1;
      const child = items[below] as T;
      if (child.rank >= last.rank) break;
      items[place] = child;
      place = below;
    }
    items[place] = last;
    return first;
  }
}
