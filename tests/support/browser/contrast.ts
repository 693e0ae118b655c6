/**
 * Returns the texts of a page with too little contrast to their background, with their ratios (WCAG 2.2,
 * 1.4.3). Runs in the page, so it is self-contained.
 */
export function lowContrasts(least: number): string[] {
  const numbers = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const scale = color.startsWith("color(srgb") ? 1 : 255;
    const [red = 0, green = 0, blue = 0] = numbers(color).map((value) => {
      const part = value / scale;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const groundOf = (element: Element): string => {
    for (let each: Element | null = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((numbers(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const hasText = (element: Element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
  const isShown = (element: Element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && getComputedStyle(element).visibility === "visible";
  };
  const low: string[] = [];
  for (const element of document.querySelectorAll("body *:not(script, style, noscript)")) {
    if (!hasText(element) || !isShown(element)) continue;
    const lights = [luminance(getComputedStyle(element).color), luminance(groundOf(element))];
    const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (ratio < least) low.push(`${ratio.toFixed(2)} ${element.className} ${element.textContent}`);
  }
  return low;
}
