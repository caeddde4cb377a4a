// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Policies by namespace. All that are for a workload hold, of its own namespace and of the root namespace.</summary>
internal sealed class AccessIndex(IEnumerable<AccessIntent> intents, MeshSettings settings)
{
    private readonly ILookup<string, AccessIntent> _byNamespace = intents.ToLookup(intent => intent.Namespace, StringComparer.Ordinal);

    public WorkloadAccess Of(Workload workload) => new(
        settings,
        [
            .. _byNamespace[settings.RootNamespace].Concat(workload.Namespace == settings.RootNamespace ? [] : _byNamespace[workload.Namespace])
                .Where(intent => intent.Selector?.Selects(workload.Labels) ?? true),
        ]);
}
