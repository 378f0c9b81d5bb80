// Reading a QR code: by the browser itself where it can, otherwise by jsQR (Apache-2.0), which is loaded only then.
const LOOKS_PER_SECOND = 5;
const SIDE_MOST = 1_600;

async function native() {
  const known = globalThis.BarcodeDetector;
  if (!known || !(await known.getSupportedFormats()).includes("qr_code")) return null;
  const detector = new known({ formats: ["qr_code"] });
  return async (canvas) => (await detector.detect(canvas))[0]?.rawValue ?? null;
}

async function ours() {
  await import("./jsqr.js");
  return async (canvas) => {
    const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    return globalThis.jsQR(data, width, height)?.data || null;
  };
}

// Fetched ahead of need, so that scanning works offline as well; nothing happens where the browser reads by itself.
export const prepare = async () => { await ((await native()) ?? await ours()); };
const reader = async () => (await native()) ?? ours();

function drawn(canvas, source, width, height) {
  const scale = Math.min(1, SIDE_MOST / Math.max(width, height));
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

export async function fromPicture(file) {
  const look = await reader(), picture = await createImageBitmap(file);
  return look(drawn(document.createElement("canvas"), picture, picture.width, picture.height));
}

// Films until `found` takes what was read, or the screen is left.
export async function fromCamera(video, found) {
  const look = await reader();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  const canvas = document.createElement("canvas");
  let looking = 0;
  const stop = () => {
    clearInterval(looking);
    for (const track of stream.getTracks()) track.stop();
  };
  video.srcObject = stream;
  try { await video.play(); } catch (error) {
    stop();
    throw error;
  }
  looking = setInterval(async () => {
    if (!video.isConnected) return stop();
    if (!video.videoWidth) return undefined;
    const text = await look(drawn(canvas, video, video.videoWidth, video.videoHeight));
    if (text && video.isConnected && found(text)) stop();
    return undefined;
  }, 1000 / LOOKS_PER_SECOND);
}
