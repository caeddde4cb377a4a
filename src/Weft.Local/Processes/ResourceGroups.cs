// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Processes;

/// <summary>
/// The control groups of this machine, where this process may make some: of version 1 (a hierarchy for each controller) or of
/// version 2, or of both. Every container gets a group of its own, which limits and counts.
/// </summary>
internal sealed class ResourceGroups
{
    private const string Prefix = "weft-";

    private static readonly string[] _first = ["cpu", "cpuacct", "memory", "pids"];
    private static readonly string[] _second = ["cpu", "memory", "pids"];

    private readonly IReadOnlyDictionary<string, string> _folders;
    private readonly bool _unified;

    private ResourceGroups(IReadOnlyDictionary<string, string> folders, bool unified, string problem)
    {
        _folders = folders;
        _unified = unified;
        Problem = problem;
    }

    /// <summary>Why there are no groups; empty when there are.</summary>
    public string Problem { get; }

    public bool Exist => _folders.Count > 0;

    /// <summary>Groups that cannot be used, for the reason given.</summary>
    public static ResourceGroups None(string problem) => new(new Dictionary<string, string>(), false, problem);

    /// <summary>Looks for a place where groups can be made, and makes one of this node's own in it.</summary>
    public static ResourceGroups Open()
    {
        try
        {
            var name = Prefix + NamespaceOf("self");
            return OpenFirst(name) ?? OpenSecond(name, CgroupMount.Read(), _second) ?? None("no cgroup of this machine may be changed by this user");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return None($"the cgroups of this machine cannot be used: {e.Message}");
        }
    }

    /// <summary>Removes groups of nodes that have ended, this side of the sandbox: nobody inside is left to do it.</summary>
    public static void RemoveForgotten()
    {
        // The groups first: one that is made meanwhile belongs to a process that is found alive afterwards.
        var groups = CgroupMount.Read().SelectMany(mount => mount.Places())
            .SelectMany(place => Try(() => Directory.GetDirectories(place, Prefix + "*"), [])).Distinct(StringComparer.Ordinal).ToList();
        if (groups.Count == 0)
        {
            return;
        }

        var alive = Directory.GetDirectories("/proc").Select(Path.GetFileName)
            .Where(n => char.IsAsciiDigit(n![0])).Select(n => TryNamespaceOf(n!)).ToHashSet();
        foreach (var group in groups.Where(g => !alive.Contains(Path.GetFileName(g)[Prefix.Length..])))
        {
            Remove(group);
        }
    }

    /// <summary>Makes a group with these limits; throws <see cref="IOException"/> when the kernel refuses.</summary>
    public ResourceGroup Make(string name, ResourceLimits limits)
    {
        var folders = _folders.ToDictionary(f => f.Key, f => Path.Combine(f.Value, name), StringComparer.Ordinal);
        foreach (var folder in folders.Values.Distinct(StringComparer.Ordinal))
        {
            Directory.CreateDirectory(folder);
        }

        var group = new ResourceGroup(folders, _unified);
        group.Limit(limits);
        return group;
    }

    /// <summary>Removes the node's own groups; those of containers must have ended.</summary>
    public void Close()
    {
        foreach (var folder in _folders.Values.Distinct(StringComparer.Ordinal))
        {
            Remove(folder);
        }
    }

    private static ResourceGroups? OpenFirst(string name)
    {
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var controller in _first)
        {
            var mount = CgroupMount.Read().FirstOrDefault(m => m.Controllers.Contains(controller, StringComparer.Ordinal));
            var place = mount?.Places().FirstOrDefault(p => CanUse(Path.Combine(p, name)));
            if (place is null)
            {
                continue;
            }

            folders[controller] = Path.Combine(place, name);
        }

        return folders.ContainsKey("memory") || folders.ContainsKey("cpu") ? new ResourceGroups(folders, false, "") : null;
    }

    /// <summary>In a hierarchy of version 2: the first place from which these controllers, or some of them, can be handed down; null if there is none.</summary>
    internal static ResourceGroups? OpenSecond(string name, IReadOnlyList<CgroupMount> mounts, IReadOnlyList<string> controllers)
    {
        foreach (var place in mounts.Where(m => m.IsUnified).SelectMany(m => m.Places()))
        {
            var group = Path.Combine(place, name);
            var offered = Try(() => File.ReadAllText(Path.Combine(place, "cgroup.controllers")), "").Split(' ', '\n');
            var found = controllers.Where(offered.Contains).ToList();
            var wanted = string.Join(' ', found.Select(c => $"+{c}"));
            if (wanted.Length > 0 && TryWrite(Path.Combine(place, "cgroup.subtree_control"), wanted) && CanUse(group)
                && TryWrite(Path.Combine(group, "cgroup.subtree_control"), wanted))
            {
                return new ResourceGroups(found.ToDictionary(c => c, _ => group, StringComparer.Ordinal), true, "");
            }
        }

        return null;
    }

    /// <summary>Whether a group can be made there and a process be put into one under it: the kernel asks for more than a writable folder.</summary>
    private static bool CanUse(string group)
    {
        try
        {
            var trial = Path.Combine(group, "trial");
            Directory.CreateDirectory(trial);
            using var process = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo(
                    Programs.Require("sh"), ["-c", "echo 0 > \"$1\"", "sh", Path.Combine(trial, "cgroup.procs")])
                { RedirectStandardError = true, RedirectStandardInput = true })!;
            process.StandardInput.Close();
            process.WaitForExit();
            Directory.Delete(trial);
            return process.ExitCode == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool TryWrite(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Remove(string group)
    {
        foreach (var child in Try(() => Directory.GetDirectories(group), []))
        {
            Remove(child);
        }

        // A folder of a control group cannot be emptied, only removed; the kernel refuses while a process is in it.
        Try<object?>(
            () =>
            {
                Directory.Delete(group);
                return null;
            },
            null);
    }

    private static string NamespaceOf(string process) => TryNamespaceOf(process) ?? throw new IOException("/proc is not readable");

    /// <summary>The number of its process namespace: the same inside and outside.</summary>
    private static string? TryNamespaceOf(string process) =>
        Try(() => new FileInfo($"/proc/{process}/ns/pid").LinkTarget?.Split('[', ']')[1], null);

    private static T Try<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }
}

/// <summary>What a container may use; null where it may use all.</summary>
/// <param name="CpuShares">Its part of a busy machine, in thousandths of a processor.</param>
internal sealed record ResourceLimits(long? CpuShares, long? CpuThousandths, long? MemoryBytes)
{
    /// <summary>More processes and threads than these no container may have.</summary>
    public const int MaxProcesses = 4096;

    internal static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
