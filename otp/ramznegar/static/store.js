// What the phone keeps (IndexedDB): keys that cannot be read back, the list of cards, the clock's offset. No PIN, no root
// of codes: neither of them is ever written.
let opening = null;
const anew = () => { opening = null; };

const connected = () => new Promise((done, failed) => {
  const asked = indexedDB.open("ramznegar", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
  asked.onsuccess = () => done(Object.assign(asked.result, { onclose: anew, onversionchange: closed }));
  asked.onerror = () => failed(asked.error);
});

function closed(event) {
  event.target.close();
  anew();
}

// A phone may close what was open, and what failed once may succeed: either is opened anew when it is needed next.
function opened() {
  if (opening) return opening;
  opening = connected();
  opening.catch(anew);
  return opening;
}

async function within(mode, deed) {
  const transaction = (await opened()).transaction("kept", mode);
  return new Promise((done, failed) => {
    const asked = deed(transaction.objectStore("kept"));
    transaction.oncomplete = () => done(asked?.result);
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}

export const read = (name) => within("readonly", (kept) => kept.get(name));

// Several values at once: all of them are written, or none is.
export const write = (values) => within("readwrite", (kept) => {
  for (const [name, value] of Object.entries(values)) kept.put(value, name);
});

// The number of the next call, written before the call goes out: no number is ever used twice.
export async function nextCall() {
  let number = 0;
  await within("readwrite", (kept) => {
    const asked = kept.get("calls");
    asked.onsuccess = () => {
      number = (asked.result ?? 0) + 1;
      kept.put(number, "calls");
    };
  });
  return number;
}

export const drop = (name) => within("readwrite", (kept) => { kept.delete(name); });
export const forgetAll = () => within("readwrite", (kept) => { kept.clear(); });

// A browser may clear what a page keeps; a page that people use may ask it not to.
export const keepForGood = async () => navigator.storage?.persist?.() ?? false;
