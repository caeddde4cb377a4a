// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>The store cannot be used at all; the message names it and the cure.</summary>
public sealed class StoreException(string message, Exception? cause = null) : Exception(message, cause);
