// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf;

namespace Weft.Wire;

/// <summary>One resource as it travels: the same bytes for the same content, and a version that is a hash of them.</summary>
public sealed record EncodedResource(string TypeUrl, string Name, string Version, ByteString Body);
