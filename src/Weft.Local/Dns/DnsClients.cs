// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using Weft.Kubernetes;
using Weft.Local.Agent;

namespace Weft.Local.Dns;

/// <summary>The pods that are answered names of ServiceEntries, by their addresses: those whose proxy's settings ask for it.</summary>
internal sealed class DnsClients
{
    private readonly ConcurrentDictionary<IPAddress, (string Namespace, string Uid)> _pods = new();

    /// <summary>The namespace of the pod at an address; null if it is not to be answered.</summary>
    public string? NamespaceOf(IPAddress address) => _pods.TryGetValue(address, out var pod) ? pod.Namespace : null;

    public void Apply(Change change)
    {
        var pod = change.Object;
        if (!IPAddress.TryParse(pod.Text("status", "podIP"), out var address))
        {
            return;
        }

        if (change.Type != ChangeType.Deleted && pod.Text("status", "phase") is not ("Succeeded" or "Failed") && ProxySettings.Of(pod).CapturesDns)
        {
            _pods[address] = (pod.Namespace(), pod.Uid());
        }
        else if (_pods.TryGetValue(address, out var known) && known.Uid == pod.Uid())
        {
            // Another pod may have the address by now.
            _pods.TryRemove(KeyValuePair.Create(address, known));
        }
    }
}
