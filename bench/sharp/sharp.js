// node sharp.js FILE WIDTH COUNT [QUALITY]: seconds per picture and bytes of the result, one picture after the other.
const sharp = require("sharp");
const [file, width, count, quality] = process.argv.slice(2);

async function once() {
  const options = quality ? { quality: Number(quality) } : {};
  return (await sharp(file).rotate().resize(Number(width)).webp(options).toBuffer()).length;
}

(async () => {
  sharp.cache(false);
  let bytes = await once();
  const started = process.hrtime.bigint();
  for (let i = 0; i < count; i++) bytes = await once();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9 / count;
  console.log(seconds.toFixed(5), bytes, sharp.concurrency(), sharp.versions.sharp);
})();
