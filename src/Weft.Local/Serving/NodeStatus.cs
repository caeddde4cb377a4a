// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Local.Agent;
using Weft.Local.Network;
using Weft.Local.Outside;

namespace Weft.Local.Serving;

/// <summary>What <c>GET /status</c> says. Process ids are the node's; <see cref="HostProcesses"/> translates them.</summary>
internal static class NodeStatus
{
    public static JsonObject Describe(NodeAgent agent, string capture, IReadOnlyList<NodePlace> nodes, IReadOnlyDictionary<string, int> programs, MeshHome home)
    {
        var status = new JsonObject
        {
            ["node"] = new JsonObject { ["name"] = nodes[0].Name, ["pid"] = Environment.ProcessId, ["capture"] = capture },
            ["nodes"] = new JsonArray([.. nodes.Select(n => new JsonObject
            {
                ["name"] = n.Name, ["address"] = string.Join(',', n.Addresses), ["pods"] = string.Join(',', n.PodRanges), ["zone"] = n.ZoneName, ["running"] = !agent.IsStopped(n.Name),
            })]),
            ["pods"] = new JsonArray([.. agent.Pods.Select(Describe)]),
            ["forwards"] = new JsonArray([.. OpenPort.Read(home.OpenPorts).Select(p =>
                new JsonObject { ["name"] = p.Name, ["port"] = p.Port, ["url"] = p.Url })]),
        };
        foreach (var (name, pid) in programs)
        {
            status[name] = new JsonObject { ["pid"] = pid };
        }

        return status;
    }

    private static JsonObject Describe(Pod pod)
    {
        var containers = pod.Containers;
        return new JsonObject
        {
            ["namespace"] = pod.Spec.Namespace,
            ["name"] = pod.Spec.Name,
            ["uid"] = pod.Spec.Uid,
            ["address"] = pod.Address,
            ["containers"] = new JsonArray([.. containers.Select(c => new JsonObject
            {
                ["name"] = c.Spec.Name,
                ["pid"] = c.ProcessId,
                ["ready"] = c.Ready,
                ["restarts"] = c.Restarts,
                ["state"] = c.State switch
                {
                    ContainerState.Running => "running",
                    ContainerState.Waiting waiting => waiting.Reason,
                    _ => "terminated",
                },
            })]),
        };
    }
}
