// Keeps the app's own files, all of one version, so that it opens without a network. `SHELL` stands above: the version,
// the page and the files. The bank's API is never touched.
const NAME = `ramznegar-${SHELL.version}`;
const SCANNER = /^\/ramznegar\/files\/[^/]+\/jsqr\.js$/;

// While a new version is put in place some servers give the page of the one before. Such a page is not kept: the browser
// installs anew when the app is opened next.
async function keepAll() {
  const cache = await caches.open(NAME), page = await fetch(SHELL.page), copy = page.clone();
  if (!page.ok || !(await page.text()).includes(`/${SHELL.version}/`)) throw new Error("the page of another version");
  await cache.addAll(SHELL.files);
  await cache.put(SHELL.page, copy);
  await skipWaiting();
}

addEventListener("install", (event) => event.waitUntil(keepAll()));

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const others = (await caches.keys()).filter((name) => name.startsWith("ramznegar-") && name !== NAME);
    await Promise.all(others.map((name) => caches.delete(name)));
    await clients.claim();
  })());
});

async function kept(request, path) {
  const cache = await caches.open(NAME), found = await cache.match(path);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && SCANNER.test(path)) await cache.put(path, answer.clone());
  return answer;
}

addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  const ours = path === SHELL.page || SHELL.files.includes(path) || SCANNER.test(path);
  if (event.request.method === "GET" && ours) event.respondWith(kept(event.request, path));
});
