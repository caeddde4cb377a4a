// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Weft.Local.Processes;
using Xunit;

namespace Weft.Local.Tests.Processes;

/// <summary>
/// Control groups of both versions. No machine of the tests has cpu and memory under version 2: what is written and read there is held against
/// the kernel's documented files, and the rest is tried on a real hierarchy with the controller that is left.
/// </summary>
public sealed class ResourceGroupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Version_2_gets_weight_quota_memory_without_swap_and_processes_in_its_words()
    {
        var group = Second();
        group.Limit(new ResourceLimits(500, 250, 64 << 20));
        Assert.Equal(
            [("cpu.max", "25000 100000"), ("cpu.weight", "20"), ("memory.max", "67108864"), ("memory.oom.group", "1"), ("memory.swap.max", "0"), ("pids.max", "4096")], Written());
        Assert.Equal([Path.Combine(_folder, "cgroup.procs")], group.EntryFiles);
    }

    [Theory]
    [InlineData(0L, "1")]
    [InlineData(1000L, "39")]
    [InlineData(256_000L, "10000")]
    public void Requests_become_weights_as_container_runtimes_compute_them(long thousandths, string weight)
    {
        Second().Limit(new ResourceLimits(thousandths, null, null));
        Assert.Equal([("cpu.weight", weight), ("pids.max", "4096")], Written());
    }

    [Fact]
    public void Version_1_gets_the_same_in_its_own_words_in_each_hierarchy()
    {
        foreach (var name in (string[])["cpu", "memory", "pids"])
        {
            Directory.CreateDirectory(Path.Combine(_folder, name));
        }

        var group = new ResourceGroup(((string[])["cpu", "memory", "pids"]).ToDictionary(c => c, c => Path.Combine(_folder, c), StringComparer.Ordinal), unified: false);
        group.Limit(new ResourceLimits(500, 250, 64 << 20));
        Assert.Equal(
            [("cpu.cfs_quota_us", "25000"), ("cpu.shares", "512"), ("memory.limit_in_bytes", "67108864"), ("memory.memsw.limit_in_bytes", "67108864"), ("pids.max", "4096")], Written());
        Assert.Equal(3, group.EntryFiles.Count);
    }

    [Fact]
    public void Version_2_says_what_was_used_and_what_was_killed_for_want_of_memory()
    {
        var group = Second();
        Assert.Equal((0L, null, null), (group.OutOfMemoryKills, group.MemoryBytes, group.CpuNanoseconds));
        File.WriteAllText(Path.Combine(_folder, "memory.events"), "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n");
        File.WriteAllText(Path.Combine(_folder, "memory.current"), "5000000\n");
        File.WriteAllText(Path.Combine(_folder, "memory.stat"), "anon 100\ninactive_file 1000000\n");
        File.WriteAllText(Path.Combine(_folder, "cpu.stat"), "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n");
        Assert.Equal((2L, 4_000_000L, 1_500_000L), (group.OutOfMemoryKills, group.MemoryBytes, group.CpuNanoseconds));
    }

    [Fact]
    public async Task A_real_hierarchy_of_version_2_takes_groups_and_processes_and_is_left_as_it_was()
    {
        Assert.True(Environment.IsPrivilegedProcess, "A hierarchy can only be mounted by root. Run the tests as root.");
        var run = await RunOnce.TryAsync(
            "unshare",
            ["--mount", "sh", "-c", "mount -t cgroup2 cgroup2 \"$1\" && shift && exec \"$@\"", "sh", _folder, .. Nodes.TestNode.Self("cgroup", _folder)],
            "", CancellationToken.None);
        Assert.True(run.ExitCode == 0, $"{run.Output}{run.Errors}");
        Assert.Equal("opened entered counted removed", run.Output.Trim());
    }

    /// <summary>Inside of <see cref="A_real_hierarchy_of_version_2_takes_groups_and_processes_and_is_left_as_it_was"/>: says how far it came.</summary>
    internal static async Task<int> TryRealAsync(string folder)
    {
        const string Controller = "hugetlb";
        var control = Path.Combine(folder, "cgroup.subtree_control");
        var before = await File.ReadAllTextAsync(control);
        var name = $"weft-test-{Environment.ProcessId}";
        var groups = ResourceGroups.OpenSecond(name, [new CgroupMount(folder, [], true, "")], [Controller]);
        if (groups is null)
        {
            return 1;
        }

        await Console.Out.WriteAsync("opened");
        var group = groups.Make("container", new ResourceLimits(1000, 1000, 1 << 30));
        using (var process = Process.Start(new ProcessStartInfo("sh", ["-c", "echo 0 > \"$1\"; cat /proc/self/cgroup; read _", "sh", group.EntryFiles.Single()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!)
        {
            var line = "";
            while (!line.StartsWith("0::", StringComparison.Ordinal))
            {
                line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("It is in no group of version 2.");
            }

            await Console.Out.WriteAsync(line.EndsWith($"/{name}/container", StringComparison.Ordinal) ? " entered" : line);
            var members = await File.ReadAllTextAsync(group.EntryFiles.Single());
            await Console.Out.WriteAsync(members.Contains(process.Id.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) ? " counted" : members);
            process.StandardInput.Close();
            await process.WaitForExitAsync();
        }

        group.Remove();
        groups.Close();
        await Console.Out.WriteAsync(Directory.Exists(Path.Combine(folder, name)) ? " left" : " removed");
        if (!before.Contains(Controller, StringComparison.Ordinal))
        {
            await File.WriteAllTextAsync(control, $"-{Controller}");
        }

        return 0;
    }

    private ResourceGroup Second() => new(((string[])["cpu", "memory", "pids"]).ToDictionary(c => c, _ => _folder, StringComparer.Ordinal), unified: true);

    private IEnumerable<(string File, string Text)> Written() => Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)
        .Select(file => (File: Path.GetFileName(file), Text: File.ReadAllText(file))).OrderBy(f => f.File, StringComparer.Ordinal);
}
