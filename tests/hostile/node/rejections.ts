// tries: promises without end, of which none is ever taken
// outcomes: [time_limit, cpu_limit, memory_limit, failed, signaled]
// limits: { wall_ms: 1500, cpu_ms: 1000, memory_bytes: 134217728 }
process.on("unhandledRejection", () => {});
const endless = async (): Promise<never> => {
  await Promise.resolve();
  void Promise.reject(new Error("again")).catch(() => {});
  return endless();
};
void endless();
