// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Peer intents by level: workload, namespace, mesh; PERMISSIVE at the end. The oldest of a level decides, unset asks the next.</summary>
internal sealed class PeerIndex
{
    private readonly Dictionary<string, List<PeerIntent>> _selecting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PeerIntent> _namespaces = new(StringComparer.Ordinal);
    private readonly string _rootNamespace;

    public PeerIndex(IEnumerable<PeerIntent> intents, string rootNamespace)
    {
        _rootNamespace = rootNamespace;
        foreach (var intent in intents.OrderBy(i => i, IntentAge.Oldest))
        {
            if (intent.Selector is null)
            {
                _namespaces.TryAdd(intent.Namespace, intent);
                continue;
            }

            if (!_selecting.TryGetValue(intent.Namespace, out var list))
            {
                _selecting.Add(intent.Namespace, list = []);
            }

            list.Add(intent);
        }
    }

    public WorkloadPeers Of(Workload workload)
    {
        var own = _selecting.GetValueOrDefault(workload.Namespace)?.Find(i => i.Selector!.Selects(workload.Labels));
        if (own is { Mode: not PeerMode.Unset })
        {
            return new WorkloadPeers(own.Mode, own.Ports, own.Origin);
        }

        var outer = Set(_namespaces.GetValueOrDefault(workload.Namespace)) ?? Set(_namespaces.GetValueOrDefault(_rootNamespace));
        return new WorkloadPeers(outer?.Mode ?? PeerMode.Permissive, own?.Ports ?? [], own?.Origin ?? outer?.Origin);
    }

    private static PeerIntent? Set(PeerIntent? intent) => intent is { Mode: not PeerMode.Unset } ? intent : null;
}
