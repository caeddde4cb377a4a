// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Dialects;

/// <summary>What the reader of a kind is given: the object, its metadata, and where to report.</summary>
internal sealed record ObjectContext(ObjectReader Root, ObjectMetadata Metadata, Findings Findings, ParseOptions Options)
{
    public Origin Origin => Findings.Origin;

    /// <summary>A host name in full: a name without a dot is a service of the object's own namespace, any other is as it stands.</summary>
    public string FullHost(string host) =>
        host.AsSpan().ContainsAny('.', ':') || host is "*"
            ? host.ToLowerInvariant()
            : $"{host.ToLowerInvariant()}.{Metadata.Namespace}.svc.{Options.DomainSuffix}";
}
