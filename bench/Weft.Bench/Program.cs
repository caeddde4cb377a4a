// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Bench;
using Weft.Bench.Peers;

// weft-bench ROOT [all | ROW ...] [options]
if (args is not [var root, .. var words] || words.Length == 0 || words[0] is "-h" or "--help" or "help")
{
    await Console.Error.WriteAsync(BenchOptions.Usage.Replace("{0}", string.Join(' ', Suite.Names), StringComparison.Ordinal));
    return 2;
}

// Servers must not outlive a harness that is told to end.
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Tool.StopAll());
using var ended = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Tool.StopAll());
try
{
    return Suite.Run(root, BenchOptions.Parse(words, Suite.Names, Environment.GetEnvironmentVariable), Console.Out, TimeProvider.System);
}
catch (BenchException failure)
{
    await Console.Error.WriteAsync($"bench: {failure.Message}\n");
    return 1;
}
