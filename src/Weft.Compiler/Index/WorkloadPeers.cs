// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Compiler.Index;

/// <summary>The peer modes of one workload, with every level decided.</summary>
internal sealed record WorkloadPeers(PeerMode Mode, EquatableArray<PeerPortMode> Ports, Origin? Origin)
{
    public PeerMode ModeOf(int port)
    {
        foreach (var mode in Ports)
        {
            if (mode.Port == port && mode.Mode != PeerMode.Unset)
            {
                return mode.Mode;
            }
        }

        return Mode;
    }
}
