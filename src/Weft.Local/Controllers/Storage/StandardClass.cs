// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Storage;

/// <summary>Keeps the storage class that claims get who name none.</summary>
internal sealed class StandardClass(Mirror classes)
{
    public const string Name = "standard";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (key.Name != Name || classes.Find(key) is not null)
        {
            return null;
        }

        try
        {
            await classes.CreateAsync(new JsonObject
            {
                ["apiVersion"] = Kinds.StorageClass.ApiVersion,
                ["kind"] = "StorageClass",
                ["metadata"] = new JsonObject
                {
                    ["name"] = Name,
                    ["annotations"] = new JsonObject { ["storageclass.kubernetes.io/is-default-class"] = "true" },
                },
                ["provisioner"] = ClaimController.Provisioner,
                ["reclaimPolicy"] = "Delete",
                ["volumeBindingMode"] = "Immediate",
            }, ct);
        }
        catch (KubernetesException made) when (made.IsAlreadyExists)
        {
            // It is as its user made it.
        }

        return null;
    }
}
