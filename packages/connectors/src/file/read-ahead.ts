/** The same pages; while one of them is delivered the next is read already, one and no more. */
export async function* readAhead<Page>(pages: AsyncGenerator<Page, void, void>): AsyncGenerator<Page, void, void> {
  let coming = pages.next();
  try {
    for (;;) {
      const step = await coming;
      if (step.done === true) return;
      coming = pages.next();
      // Nobody may ask for it any more.
      coming.catch(() => undefined);
      yield step.value;
    }
  } finally {
    // Waits for the reading under way, and closes the file.
    await pages.return();
  }
}
