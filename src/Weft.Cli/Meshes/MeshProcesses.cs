// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;

namespace Weft.Cli.Meshes;

/// <summary>The processes of a mesh as the host numbers them; null for one that is not there at this moment.</summary>
internal sealed record MeshProcesses(int Up, int? Node, int? Api, int? Control)
{
    public static MeshProcesses Find(UpRecord up)
    {
        int? node = ProcessFacts.ChildrenOf(up.Sandbox) is [var child, ..] ? child : null;
        var children = node is { } pid ? ProcessFacts.ChildrenOf(pid) : [];
        return new MeshProcesses(up.Pid, node, WithVerb("api"), WithVerb("control"));

        int? WithVerb(string verb)
        {
            foreach (var candidate in children)
            {
                if (ProcessFacts.CommandLineOf(candidate) is [.., var last] words && words.Length > 1 && last == verb)
                {
                    return candidate;
                }
            }

            return null;
        }
    }

    public override string ToString()
    {
        var table = new Table("PART", "PID");
        foreach (var (name, pid) in new (string, int?)[] { ("up", Up), ("node", Node), ("api", Api), ("control", Control) })
        {
            table.Add(name, pid?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "not running");
        }

        return table.ToString();
    }
}
