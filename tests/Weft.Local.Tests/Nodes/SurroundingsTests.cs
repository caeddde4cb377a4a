// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using Weft.Kubernetes;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>What a container sees around it, tried once as root and once as an ordinary user.</summary>
public abstract class SurroundingsTests(NodeFixture fixture)
{
    private const int Neighbours = 400;
    private const string Volume = ""","volumes":[{"name":"v","emptyDir":{}}]""";

    private TestNode Node => fixture.Node;

    [Fact]
    public async Task A_volume_in_a_crowded_folder_costs_a_few_mounts_and_leaves_no_mark_there()
    {
        var crowd = Directory.CreateTempSubdirectory("weft-crowd-").FullName;
        try
        {
            File.SetUnixFileMode(crowd, (UnixFileMode)0x1ff);
            for (var i = 0; i < Neighbours; i++)
            {
                Directory.CreateDirectory(Path.Combine(crowd, string.Create(CultureInfo.InvariantCulture, $"n{i}")));
            }

            await File.WriteAllTextAsync(Path.Combine(crowd, "n7", "said"), "by the host");
            var path = Path.Combine(crowd, "n8", "socket");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, (UnixFileMode)0x1ff);
            listener.Listen();
            var mount = $$$""","volumeMounts":[{"name":"v","mountPath":"{{{crowd}}}/new/place"}]""";
            await Node.CreatePodAsync(
                "crowded", $"{TestNode.Container("app", ["sleep", "infinity"], mount)},{TestNode.Container("other", ["sleep", "infinity"], ""","volumeMounts":[{"name":"v","mountPath":"/srv"}]""")}", Volume);
            await Node.CreatePodAsync("roomy", TestNode.Container("app", ["sleep", "infinity"], ""","volumeMounts":[{"name":"v","mountPath":"/srv"}]"""), Volume);
            await Node.ReadyAsync("crowded");
            await Node.ReadyAsync("roomy");

            Assert.InRange(await MountsAsync("crowded") - await MountsAsync("roomy"), 0, 100);
            Assert.Equal(Neighbours + 1, int.Parse((await Node.ExecAsync("crowded", "sh", "-c", $"ls {crowd} | wc -l")).Output, CultureInfo.InvariantCulture));
            Assert.Equal("by the host", (await Node.ExecAsync("crowded", "cat", $"{crowd}/n7/said")).Output);
            Assert.Equal("777", (await Node.ExecAsync("crowded", "stat", "-c", "%a", crowd)).Output.Trim());
            Assert.Equal(0, (await Node.ExecAsync("crowded", TestNode.Self("knock", path))).Code);
            Assert.Equal(0, (await Node.ExecAsync("crowded", "sh", "-c", $"echo kept > {crowd}/new/place/file")).Code);
            Assert.False(Directory.Exists(Path.Combine(crowd, "new")), "The place of the volume was made on the host.");
            Assert.Equal("kept\n", await File.ReadAllTextAsync(Path.Combine(Node.Home.Pods, await UidAsync("crowded"), "volumes", "v", "file")));
        }
        finally
        {
            Directory.Delete(crowd, recursive: true);
        }
    }

    [Fact]
    public async Task A_volume_above_the_mesh_s_own_folders_hides_neither_its_programs_nor_what_a_later_start_needs()
    {
        var programs = Directory.CreateDirectory(Path.Combine(Node.Home.Root, "bin")).FullName;
        var greet = Path.Combine(programs, "greet");
        await File.WriteAllTextAsync(greet, "#!/bin/sh\necho greetings\n");
        File.SetUnixFileMode(greet, (UnixFileMode)0x1ed);
        await Node.CreatePodAsync(
            "covered", TestNode.Container("app", ["sh", "-c", "greet > /srv/said; sleep 1; [ -e /srv/again ] || { touch /srv/again; exit 1; }; sleep infinity"], $$"""
                ,"volumeMounts":[{"name":"v","mountPath":"{{Node.Home.Root}}"},{"name":"v","mountPath":"/srv"}]
                """), Volume);
        await Node.HoldsAsync("it runs for the second time", async () =>
            (await Node.GetPodAsync("covered")).Objects("status", "containerStatuses").FirstOrDefault() is { } now && now.Number("restartCount") == 1 && now.Find("state", "running") is not null);
        Assert.Equal("greetings\n", (await Node.ExecAsync("covered", "cat", $"{Node.Home.Root}/said")).Output);
        Assert.Equal("greetings\n", (await Node.ExecAsync("covered", "greet")).Output);
    }

    [Fact]
    public async Task The_host_s_root_as_a_volume_shows_the_host_s_files()
    {
        await Node.CreatePodAsync(
            "visitor",
            TestNode.Container("app", ["sleep", "infinity"], ""","volumeMounts":[{"name":"host","mountPath":"/weft-host"},{"name":"host","mountPath":"/weft-read","readOnly":true}]"""),
            ""","volumes":[{"name":"host","hostPath":{"path":"/"}}]""");
        await Node.ReadyAsync("visitor");
        var file = Path.Combine(Node.Home.Root, "seen");
        await File.WriteAllTextAsync(file, "on the host");
        Assert.Equal("on the host", (await Node.ExecAsync("visitor", "cat", $"/weft-host{file}")).Output);
        Assert.Equal(await File.ReadAllTextAsync("/etc/resolv.conf"), (await Node.ExecAsync("visitor", "cat", "/weft-host/etc/resolv.conf")).Output);
        Assert.Contains("Read-only", (await Node.ExecAsync("visitor", "touch", $"/weft-read{Node.Home.Root}/no")).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/weft-host"), "The place of the volume was made on the host.");
    }

    [Fact]
    public async Task Containers_see_each_other_s_processes_where_the_pod_says_so_and_only_there()
    {
        var pair = $"{TestNode.Container("app", ["sleep", "infinity"])},{TestNode.Container("neighbour", ["sh", "-c", "setsid sleep 54321 & exec sleep 12345"])}";
        await Node.CreatePodAsync("shared", pair, ""","shareProcessNamespace":true""");
        await Node.CreatePodAsync("apart", pair);
        await Node.ReadyAsync("shared");
        await Node.ReadyAsync("apart");
        Assert.Equal("sleep\n", (await Node.ExecAsync("apart", "cat", "/proc/1/comm")).Output);
        Assert.DoesNotContain("sleep 12345", await ProcessesAsync("apart"), StringComparison.Ordinal);
        Assert.Contains("sleep 12345", await ProcessesAsync("shared"), StringComparison.Ordinal);
        Assert.Contains("sleep 54321", await ProcessesAsync("shared"), StringComparison.Ordinal);

        // One ends: with it all that it has begun, and nothing of the others.
        var killed = await Node.ExecAsync(
            "shared", "sh", "-c", "for p in /proc/[0-9]*; do [ \"$(tr '\\0' ' ' < $p/cmdline)\" != 'sleep 12345 ' ] || exec kill ${p#/proc/}; done; exit 1");
        Assert.True(killed.Code == 0, killed.Output);
        await Node.HoldsAsync("it has begun anew", async () =>
            (await Node.GetPodAsync("shared")).Objects("status", "containerStatuses").First(c => c.Text("name") == "neighbour") is var now
            && now.Number("restartCount") == 1 && now.Number("lastState", "terminated", "exitCode") == 143,
            async () => (await Node.GetPodAsync("shared")).ToJsonString());
        await Node.HoldsAsync("one of each is there", async () => (await ProcessesAsync("shared")).Split('\n') is var all
            && all.Count(p => p == "sleep 12345") == 1 && all.Count(p => p == "sleep 54321") == 1, () => ProcessesAsync("shared"));
        Assert.Equal(0, (await Node.GetPodAsync("shared")).Objects("status", "containerStatuses").First(c => c.Text("name") == "app").Number("restartCount"));
    }

    [Fact]
    public async Task A_container_sees_the_node_s_processes_where_the_pod_says_so()
    {
        await Node.CreatePodAsync("inspector", TestNode.Container("app", ["sleep", "infinity"]), ""","hostPID":true""");
        await Node.ReadyAsync("inspector");
        Assert.Contains($" node {Node.Home.Root}", await ProcessesAsync("inspector"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Containers_share_the_node_s_memory_and_queues_where_the_pod_says_so_and_only_there()
    {
        foreach (var (name, more) in new[] { ("ipc-one", ""","hostIPC":true"""), ("ipc-two", ""","hostIPC":true"""), ("ipc-own", "") })
        {
            await Node.CreatePodAsync(name, TestNode.Container("app", ["sleep", "infinity"]), more);
        }

        var seen = new List<string>();
        foreach (var name in (string[])["ipc-one", "ipc-two", "ipc-own"])
        {
            await Node.ReadyAsync(name);
            seen.Add((await Node.ExecAsync(name, "readlink", "/proc/self/ns/ipc")).Output);
        }

        Assert.StartsWith("ipc:[", seen[0], StringComparison.Ordinal);
        Assert.Equal(seen[0], seen[1]);
        Assert.NotEqual(seen[0], seen[2]);
    }

    private async Task<string> ProcessesAsync(string pod) =>
        (await Node.ExecAsync(pod, "sh", "-c", "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null")).Output.Replace(" \n", "\n", StringComparison.Ordinal);

    private async Task<int> MountsAsync(string pod) =>
        int.Parse((await Node.ExecAsync(pod, "sh", "-c", "wc -l < /proc/self/mountinfo")).Output, CultureInfo.InvariantCulture);

    private async Task<string> UidAsync(string pod) => (await Node.GetPodAsync(pod)).Uid();
}

/// <summary>On root's node.</summary>
public sealed class RootSurroundingsTests(RootNode fixture) : SurroundingsTests(fixture), IClassFixture<RootNode>;

/// <summary>On an ordinary user's node.</summary>
public sealed class UserSurroundingsTests(UserNode fixture) : SurroundingsTests(fixture), IClassFixture<UserNode>;
