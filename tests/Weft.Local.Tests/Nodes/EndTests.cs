// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Local.Outside;
using Weft.Local.Processes;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>However the outer process ends, nothing of the node may stay.</summary>
public sealed class EndTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Nothing_is_left_of_a_node(bool rootless, bool killed)
    {
        var before = await TraceAsync();
        int[] processes;
        await using (var node = await TestNode.StartAsync(rootless))
        {
            await node.CreatePodAsync("one", $"{TestNode.Proxy},{TestNode.Container("app", TestNode.Self("listen", "8080", "x"))}");
            await node.ReadyAsync("one");
            processes = [.. HostProcesses.InnerToHost(node.SandboxId).Values, node.SandboxId];
            Assert.True(processes.Length >= 8, $"Only {processes.Length} processes were found in the node.");
            if (killed)
            {
                using var outer = Process.GetProcessById(node.UpId);
                outer.Kill();
                await outer.WaitForExitAsync();
            }
            else
            {
                await node.StopAsync();
            }

            await node.HoldsAsync(
                "every process has ended",
                () => Task.FromResult(!processes.Any(IsAlive)),
                () => Task.FromResult(string.Join(' ', processes.Where(IsAlive))));
        }

        // Links of a network namespace go a moment after its last process.
        await Weft.Testing.Eventually.HoldsAsync(
            "links, mounts, rules and named namespaces are as before", async () => await TraceAsync() == before, TraceAsync);
    }

    [Fact]
    public async Task A_child_program_that_dies_is_started_again()
    {
        await using var node = await TestNode.StartAsync(rootless: true);
        var before = await ChildAsync();
        _ = Signals.Send(before, Signals.Kill);
        await node.HoldsAsync("the child is another process", async () => await ChildAsync() is var now && now != 0 && now != before);

        async Task<int> ChildAsync()
        {
            var inner = (int?)(await node.Node.StatusAsync(default))["child"]?["pid"];
            return inner is { } id ? HostProcesses.InnerToHost(node.SandboxId).GetValueOrDefault(id) : 0;
        }
    }

    [Fact]
    public async Task Remains_of_orphans_do_not_pile_up_in_the_node()
    {
        // The runtime does it where it is process 1; the node relies on that.
        await using var node = await TestNode.StartAsync(rootless: false);
        var host = HostProcesses.InnerToHost(node.SandboxId)[1];
        var result = await RunOnce.TryAsync(
            "nsenter", ["--target", $"{host}", "--pid", "--mount", "sh", "-c", "(sleep 0.2 & echo $!) | cat"], "", default);
        var orphan = int.Parse(result.Output, System.Globalization.CultureInfo.InvariantCulture);
        await node.HoldsAsync("the orphan has ended", () => Task.FromResult(
            HostProcesses.InnerToHost(node.SandboxId).TryGetValue(orphan, out var id) is false || !IsAlive(id)));
        await node.HoldsAsync("nothing of it is left", () => Task.FromResult(!HostProcesses.InnerToHost(node.SandboxId).ContainsKey(orphan)));
    }

    private static bool IsAlive(int id) =>
        File.Exists($"/proc/{id}/status") && !File.ReadAllText($"/proc/{id}/status").Contains("State:\tZ", StringComparison.Ordinal);

    private static async Task<string> TraceAsync()
    {
        var links = await RunOnce.RunAsync("ip", ["-o", "link"], "", default);
        var rules = Environment.IsPrivilegedProcess ? await RunOnce.RunAsync("nft", ["list", "ruleset"], "", default) : "";
        var mounts = await File.ReadAllTextAsync("/proc/self/mounts");
        var named = Directory.Exists("/run/netns") ? string.Join(' ', Directory.GetFiles("/run/netns")) : "";
        return $"{links}\n{rules}\n{mounts}\n{named}";
    }
}
