// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Defaults;

/// <summary>Puts into every namespace what pods expect to find there.</summary>
internal sealed class NamespaceKeeper(ObjectStore store, TimeProvider clock, string authorityPem)
{
    public void Furnish(string ns)
    {
        Ensure("serviceaccounts", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ServiceAccount",
            ["metadata"] = Metadata(ns, "default"),
        });
        Ensure("configmaps", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = Metadata(ns, "kube-root-ca.crt"),
            ["data"] = new JsonObject { ["ca.crt"] = authorityPem },
        });
    }

    public JsonObject Metadata(string ns, string name)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns.Length > 0)
        {
            metadata["namespace"] = ns;
        }

        metadata["uid"] = NameSource.Uid();
        metadata["creationTimestamp"] = JsonText.Timestamp(clock.GetUtcNow());
        return metadata;
    }

    /// <summary>Stores the object unless one of that name exists.</summary>
    public void Ensure(string resource, JsonObject tree)
    {
        var metadata = tree["metadata"]!.AsObject();
        if (store.Find(resource, metadata.Text("namespace") ?? "", metadata.Text("name")!) is null)
        {
            store.TryCreate(resource, tree);
        }
    }
}
