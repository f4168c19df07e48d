// Messages of earlier versions, brought to the form that this version writes. Pure.
//
// Version 2: addresses of both families as bytes instead of IPv4 numbers; reboots have a kind;
// networks say who makes their bridge; instances say whether they were ever to run.
#pragma once

#include "stellwerk/store/v1/records.pb.h"
#include "stellwerk/store/v1/resources.pb.h"

namespace stellwerk::records {

void upgrade(uint32_t version, store::v1::Network& network);
void upgrade(uint32_t version, store::v1::Instance& instance);
void upgrade(uint32_t version, store::v1::Request& request);
// Every other message is today what it was.
template <class Message>
void upgrade(uint32_t, Message&) {}

}  // namespace stellwerk::records
