// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Admission;

/// <summary>Gives a new pod the number behind its priority class.</summary>
internal sealed class Priorities(ObjectStore store)
{
    private const string Resource = "priorityclasses.scheduling.k8s.io";

    /// <summary>The classes that every cluster has from the start, and what they are for.</summary>
    public static IReadOnlyDictionary<string, (long Value, string Description)> System { get; } = new Dictionary<string, (long, string)>(StringComparer.Ordinal)
    {
        ["system-cluster-critical"] = (2_000_000_000, "For pods that the cluster cannot do without, and that may run on another node."),
        ["system-node-critical"] = (2_000_001_000, "For pods that a node cannot do without, and that cannot run on another one."),
    };

    public void Apply(ApiRequest request, JsonObject pod)
    {
        var spec = pod.Child("spec");
        var name = spec.Text("priorityClassName") ?? "";
        var (value, policy) = (0L, "PreemptLowerPriority");
        if (name.Length == 0)
        {
            var all = store.Snapshot(Resource).Objects.Values.Select(found => found.Parse()).Where(found => found.Flag("globalDefault") == true);
            if (all.MinBy(found => found.Number("value") ?? 0) is { } common)
            {
                spec["priorityClassName"] = common.At("metadata", "name").Text();
                (value, policy) = Read(common);
            }
        }
        else
        {
            (value, policy) = store.Find(Resource, "", name) is { } found
                ? Read(found.Parse())
                : throw ApiException.Forbidden(request.Resource, pod.At("metadata", "name").Text() ?? "", $"no PriorityClass with name {name} was found");
        }

        if (spec.Number("priority") is { } given && given != value)
        {
            throw ApiException.Forbidden(
                request.Resource,
                pod.At("metadata", "name").Text() ?? "",
                $"the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name");
        }

        spec["priority"] = value;
        spec["preemptionPolicy"] ??= policy;
    }

    private static (long Value, string Policy) Read(JsonObject found) =>
        (found.Number("value") ?? 0, found.Text("preemptionPolicy") is { Length: > 0 } policy ? policy : "PreemptLowerPriority");
}
