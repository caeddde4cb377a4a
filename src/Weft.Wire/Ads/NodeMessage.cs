// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Ads;

/// <summary>The node of a client as xDS names it.</summary>
public static class NodeMessage
{
    /// <summary>Makes the message that opens a stream; an empty version is not said.</summary>
    public static Node Create(string id, string cluster, IEnumerable<KeyValuePair<string, string>> metadata, string version = "")
    {
        var node = new Node { Id = id, Cluster = cluster, UserAgentName = "weft-proxy", Metadata = new Struct() };
        if (version.Length > 0)
        {
            node.UserAgentVersion = version;
        }

        foreach (var (key, value) in metadata)
        {
            node.Metadata.Fields[key] = new Value { StringValue = value };
        }

        return node;
    }
}
