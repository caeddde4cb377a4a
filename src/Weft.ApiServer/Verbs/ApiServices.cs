// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Custom;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Security;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>What the verbs share.</summary>
internal sealed class ApiServices
{
    public required ObjectStore Store { get; init; }

    public required ResourceCatalog Catalog { get; init; }

    public required SchemaSet Schemas { get; init; }

    public required CustomKinds Kinds { get; init; }

    public required AdmissionHooks Hooks { get; init; }

    public required TimeProvider Clock { get; init; }

    public required AddressAllocator Addresses { get; init; }

    public required NamespaceKeeper Namespaces { get; init; }

    public required TokenAuthority Tokens { get; init; }

    public required RightsBook Rights { get; init; }

    public required ServingAuthority Authority { get; init; }

    public required ApiServerOptions Options { get; init; }
}
