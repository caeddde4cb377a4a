// SPDX-License-Identifier: Apache-2.0

using Weft.Local;
using Weft.Local.Logging;
using Weft.Local.Outside;
using Weft.Local.Tests.Nodes;

// The test assembly is also the node under test and the programs in its pods: no other program needs to be there.
return args switch
{
    ["up", var home] => await UpAsync(MeshHome.Open(home)),
    ["node", var home] => await NodeAsync(MeshHome.Open(home)),
    ["cgroup", var folder] => await Weft.Local.Tests.Processes.ResourceGroupTests.TryRealAsync(folder),
    [var verb, .. var rest] => await PodPrograms.RunAsync(verb, rest),
    _ => 64,
};

// The outer side: stops when its input ends.
static async Task<int> UpAsync(MeshHome home)
{
    using var log = new StreamWriter(Path.Combine(home.Logs, "up.log"), append: true);
    using var stop = new CancellationTokenSource();
    using var relay = new PortRelay(home, [], TimeProvider.System, new LineLogger(log, TimeProvider.System));
    var relaying = relay.RunAsync(stop.Token);
    var options = new SandboxOptions(
        "dotnet", [typeof(PodPrograms).Assembly.Location, "node", home.Root], new Dictionary<string, string>(), Path.Combine(home.Logs, "node.log"));
    await using var sandbox = await Sandbox.StartAsync(options, TimeProvider.System, CancellationToken.None);
    await Console.Out.WriteLineAsync($"{sandbox.Kind} {sandbox.ProcessId}");
    await Console.Out.FlushAsync();
    await Task.WhenAny(sandbox.WaitAsync(CancellationToken.None), Console.In.ReadToEndAsync());
    await sandbox.StopAsync(TimeSpan.FromSeconds(10));
    await stop.CancelAsync();
    await relaying;
    return 0;
}

static async Task<int> NodeAsync(MeshHome home)
{
    var log = new LineLogger(Console.Out, TimeProvider.System);
    var node = new LocalNode(new LocalNodeOptions
    {
        Home = home,
        Children = [new ChildCommand("child", "sleep", ["infinity"])],
        BinFolder = Path.Combine(home.Root, "bin"),
        Time = TimeProvider.System,
        Random = new Random(1),
        Log = log,
    });
    await node.RunAsync(CancellationToken.None);
    return 0;
}
