// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Outside;
using Weft.Local.Serving;

namespace Weft.Cli.Meshes;

/// <summary>Which process, as the host numbers it, runs which container.</summary>
internal sealed class ContainerProcesses
{
    private readonly Dictionary<(string Uid, string Container), int> _pids = [];

    private ContainerProcesses()
    {
    }

    /// <summary>Empty while the node does not answer.</summary>
    public static async Task<ContainerProcesses> ReadAsync(MeshHome home, UpRecord up, CancellationToken ct)
    {
        var found = new ContainerProcesses();
        JsonObject status;
        try
        {
            status = await new NodeClient(home.NodeSocket).StatusAsync(ct);
        }
        catch (NodeRefusedException)
        {
            return found;
        }

        // The agent counts in its own pid namespace.
        var toHost = HostProcesses.InnerToHost(up.Sandbox);
        foreach (var pod in status.Objects("pods"))
        {
            foreach (var container in pod.Objects("containers"))
            {
                if (container.Number("pid") is { } inner && toHost.TryGetValue((int)inner, out var pid))
                {
                    found._pids[(pod.Text("uid") ?? "", container.Text("name") ?? "")] = pid;
                }
            }
        }

        return found;
    }

    public int? PidOf(string uid, string container) => _pids.TryGetValue((uid, container), out var pid) ? pid : null;
}
