// Imported first by every script, and plain enough for old versions to read: newer syntax below would fail before the message.
const wanted = [20, 19];
const found = process.versions.node.split(".").map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(`Quiesce needs Node ${wanted.join(".")} or newer; this is ${process.version} (${process.execPath}).`);
  console.error("Install a current one from https://nodejs.org, or with a version manager: nvm install 20");
  process.exit(1);
}
