/**
 * The worker that a browser keeps for this site: it shows what is pushed, and opens its page. It keeps
 * nothing and answers no requests, so pages come from the server as if it were not there.
 */

interface Action { title: string; url: string }

interface Content {
  title: string;
  body: string;
  url: string;
  tag?: string;
  lang?: string;
  severity?: string;
  take?: Action;
  leave?: Action;
}

// The library of types for workers cannot be loaded beside the one for pages, so what is used stands here.
interface Waiting extends Event { waitUntil(work: Promise<unknown>): void }
interface Pushed extends Waiting { data: { json(): Content } | null }
interface Clicked extends Waiting { action: string; notification: Notification }
interface Page { url: string; focus(): Promise<Page>; navigate(url: string): Promise<Page | null> }
interface Pages {
  claim(): Promise<void>;
  matchAll(options: { type: string; includeUncontrolled: boolean }): Promise<Page[]>;
  openWindow(url: string): Promise<Page | null>;
}
interface Worker_ extends EventTarget {
  registration: ServiceWorkerRegistration;
  clients: Pages;
  skipWaiting(): Promise<void>;
}

const worker = globalThis as unknown as Worker_;

worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("activate", (event) => (event as Waiting).waitUntil(worker.clients.claim()));

worker.addEventListener("push", (event) => {
  const pushed = event as Pushed;
  const content = pushed.data?.json();
  if (content) pushed.waitUntil(show(content));
});

worker.addEventListener("notificationclick", (event) => {
  const clicked = event as Clicked;
  clicked.notification.close();
  clicked.waitUntil(follow(clicked.notification.data as Content, clicked.action));
});

function show(content: Content): Promise<void> {
  const actions = [];
  if (content.take) actions.push({ action: "take", title: content.take.title });
  if (content.leave) actions.push({ action: "leave", title: content.leave.title });
  const options = {
    body: content.body,
    tag: content.tag ?? "",
    renotify: Boolean(content.tag), // each stage rings, though only the newest stays
    lang: content.lang ?? "",
    requireInteraction: content.severity === "danger",
    data: content,
    actions,
  };
  return worker.registration.showNotification(content.title, options as NotificationOptions);
}

/** Pressing "I take this on" is meant: it is said at once, and the page shows that it has been heard. */
async function follow(content: Content, action: string): Promise<void> {
  if (action === "take" && content.take) {
    await fetch(content.take.url, { method: "POST" }).catch(() => undefined);
    await open(content.take.url);
  } else if (action === "leave" && content.leave) {
    await open(content.leave.url);
  } else {
    await open(content.url);
  }
}

async function open(url: string): Promise<void> {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === url);
  if (there) await there.focus().catch(() => undefined);
  else await worker.clients.openWindow(url);
}

export {};
