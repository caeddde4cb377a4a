// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Control;

/// <summary>What the control thread feeds: the running proxy. Calls come on the control thread.</summary>
internal interface IControlSink
{
    /// <summary>Puts a plan in force for everything that begins from now on; an error text refuses it and the old one stays.</summary>
    string? Apply(ProxyPlan plan);

    /// <summary>Uses the identity for every handshake from now on; open connections go on. An error text refuses it.</summary>
    string? ApplyIdentity(WorkloadIdentity identity);
}
