/** Says where a contender listens, and then answers each `cpu` on its standard input with the microseconds of CPU since the last one. It ends with its pipe. */
export function answerCpu(url) {
  console.log(url);
  let used = process.cpuUsage();
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", () => {
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    console.log(String(user + system));
  });
  process.stdin.once("close", () => process.exit(0));
}
