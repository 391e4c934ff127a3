/**
 * Runs before the first paint, so that a chosen appearance does not flash. A classic script: no
 * imports, and braces around everything, because its names would be global.
 */
{
  const chosen = localStorage.getItem("sh-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.kernTheme = chosen;
  }
}
