/** Numbers and times in the page's language. Times arrive on the city's clock, written as UTC. */

export function number(value: number, locale: string, digits: number): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, options).format(value);
}

export function measure(value: number, unit: string, locale: string, digits: number): string {
  return unit ? `${number(value, locale, digits)}\u00a0${unit}` : number(value, locale, digits);
}

function clock(time: number, locale: string): string {
  return format(time, locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export function moment(time: number, locale: string): string {
  const date = format(time, locale, { weekday: "short", day: "numeric", month: "long" });
  return `${date}, ${clock(time, locale)}`;
}

function format(time: number, locale: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options }).format(time);
}
