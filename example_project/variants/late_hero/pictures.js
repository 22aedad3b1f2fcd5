// Loads a picture when it is nearly in view. The browser's own loading=lazy begins several screens ahead.
const AHEAD = "200px";

export function showWhenNear(pictures) {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          target.src = target.dataset.src;
          watcher.unobserve(target);
        }
      }
    },
    { rootMargin: AHEAD },
  );
  pictures.forEach((picture) => watcher.observe(picture));
}
