/** The last `capacity` values of something, in order of arrival and sorted, so that every quantile is exact and costs nothing. */
export class RecentValues {
  readonly #arrived: Float64Array;
  readonly #sorted: Float64Array;
  #length = 0;
  #next = 0;

  constructor(capacity: number) {
    this.#arrived = new Float64Array(capacity);
    this.#sorted = new Float64Array(capacity);
  }

  /** How many there are, at most the capacity. */
  get length(): number {
    return this.#length;
  }

  /** Adds a finite value; the oldest goes when there is no room. */
  add(value: number): void {
    const capacity = this.#arrived.length;
    if (this.#length === capacity) {
      const gone = this.#placeOf(this.#arrived[this.#next] ?? 0);
      this.#sorted.copyWithin(gone, gone + 1, this.#length);
      this.#length -= 1;
    }
    const place = this.#placeOf(value);
    this.#sorted.copyWithin(place + 1, place, this.#length);
    this.#sorted[place] = value;
    this.#length += 1;
    this.#arrived[this.#next] = value;
    this.#next = (this.#next + 1) % capacity;
  }

  /** The quantile `p` (0 to 1) by linear interpolation between neighbours; 0 when there are no values. */
  quantile(p: number): number {
    const place = p * (this.#length - 1);
    const below = Math.floor(place);
    const share = place - below;
    const low = this.#sorted[below] ?? 0;
    return share === 0 ? low : low * (1 - share) + (this.#sorted[below + 1] ?? low) * share;
  }

  /** The values, oldest first. */
  inOrder(): readonly number[] {
    const capacity = this.#arrived.length;
    const first = this.#length < capacity ? 0 : this.#next;
    return Array.from({ length: this.#length }, (_, index) => this.#arrived[(first + index) % capacity] ?? 0);
  }

  #placeOf(value: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
