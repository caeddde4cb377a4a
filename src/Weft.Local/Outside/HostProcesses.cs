// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Outside;

/// <summary>Translates process ids as the node sees them into the host's.</summary>
public static class HostProcesses
{
    /// <summary>Every process of the sandbox: its id inside → its id on the host.</summary>
    /// <param name="sandboxProcessId"><see cref="Sandbox.ProcessId"/>.</param>
    public static IReadOnlyDictionary<int, int> InnerToHost(int sandboxProcessId)
    {
        var all = new Dictionary<int, (int Parent, int[] Ids)>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Read(folder) is { } process)
            {
                all[id] = process;
            }
        }

        // unshare's child is pid 1 inside; its position in the list of ids is the node's own level.
        var result = new Dictionary<int, int>();
        var node = all.FirstOrDefault(p => p.Value.Parent == sandboxProcessId && p.Value.Ids is [.., 1]);
        if (node.Value.Ids is null)
        {
            return result;
        }

        var level = node.Value.Ids.Length - 1;
        foreach (var (id, process) in all)
        {
            if (process.Ids.Length > level && DescendsFrom(id, node.Key, all))
            {
                result[process.Ids[level]] = id;
            }
        }

        return result;
    }

    private static bool DescendsFrom(int id, int ancestor, Dictionary<int, (int Parent, int[] Ids)> all)
    {
        for (var steps = 0; steps < 64 && id != 0; steps++)
        {
            if (id == ancestor)
            {
                return true;
            }

            id = all.TryGetValue(id, out var process) ? process.Parent : 0;
        }

        return false;
    }

    private static (int Parent, int[] Ids)? Read(string folder)
    {
        try
        {
            var parent = 0;
            int[] ids = [];
            foreach (var line in File.ReadLines(Path.Combine(folder, "status")))
            {
                if (line.StartsWith("PPid:", StringComparison.Ordinal))
                {
                    parent = int.Parse(line.AsSpan(5).Trim(), CultureInfo.InvariantCulture);
                }
                else if (line.StartsWith("NSpid:", StringComparison.Ordinal))
                {
                    ids = [.. line[6..].Split('\t', StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
                }
            }

            return (parent, ids);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked.
            return null;
        }
    }
}
