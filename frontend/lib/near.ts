/** Call `load` once, as soon as an element of this name comes near the visible part of the page. */
export function whenNear(name: string, load: () => Promise<unknown>): void {
  const elements = document.querySelectorAll(name);
  if (elements.length === 0) return;
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      void load();
    },
    { rootMargin: "600px" },
  );
  for (const element of elements) observer.observe(element);
}
