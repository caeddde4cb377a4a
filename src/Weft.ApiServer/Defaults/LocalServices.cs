// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Defaults;

/// <summary>Keeps one APIService for each group and version that is served: all of them are this server's own.</summary>
internal sealed class LocalServices(ObjectStore store, ResourceCatalog catalog, TimeProvider clock)
{
    public const string Resource = "apiservices.apiregistration.k8s.io";

    private const string Managed = "kube-aggregator.kubernetes.io/automanaged";
    private const int BuiltInPriority = 17800;
    private const int CustomPriority = 1000;

    public void Ensure()
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (group, versions) in GroupList.Collect(catalog))
        {
            foreach (var version in versions)
            {
                var name = $"{version}.{group}";
                wanted.Add(name);
                if (store.Find(Resource, "", name) is null)
                {
                    store.TryCreate(Resource, Local(name, group, version));
                }
            }
        }

        foreach (var item in store.Snapshot(Resource).Objects.Values.Where(item => item.Labels.ContainsKey(Managed) && !wanted.Contains(item.Key.Name)))
        {
            store.TryRemove(item);
        }
    }

    /// <summary>What makes an APIService of a client invalid.</summary>
    public static void Check(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var (group, version) = (spec.Text("group") ?? "", spec.Text("version") ?? "");
        var name = tree.At("metadata", "name").Text() ?? "";
        if (name != $"{version}.{group}")
        {
            errors.Add(FieldError.Invalid("metadata.name", name, $"must be `spec.version+\".\"+spec.group`: \"{version}.{group}\""));
        }

        if (spec["service"] is not null)
        {
            errors.Add(FieldError.Forbidden(
                "spec.service", "this server does not pass requests on to other API servers; define the kinds with a CustomResourceDefinition"));
        }
    }

    private JsonObject Local(string name, string group, string version)
    {
        var custom = catalog.All.Where(kind => kind.Group == group).All(kind => kind.CustomVersions is not null) && group.Length > 0;
        var now = JsonText.Timestamp(clock.GetUtcNow());
        var spec = new JsonObject();
        if (group.Length > 0)
        {
            spec["group"] = group;
        }

        spec["groupPriorityMinimum"] = custom ? CustomPriority : group.Length == 0 ? BuiltInPriority + 200 : BuiltInPriority;
        spec["version"] = version;
        spec["versionPriority"] = custom ? 100 : 15;
        return new JsonObject
        {
            ["apiVersion"] = "apiregistration.k8s.io/v1",
            ["kind"] = "APIService",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["uid"] = NameSource.Uid(),
                ["creationTimestamp"] = now,
                ["labels"] = new JsonObject { [Managed] = custom ? "true" : "onstart" },
            },
            ["spec"] = spec,
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject
                {
                    ["lastTransitionTime"] = now,
                    ["message"] = "Local APIServices are always available",
                    ["reason"] = "Local",
                    ["status"] = "True",
                    ["type"] = "Available",
                }),
            },
        };
    }
}
